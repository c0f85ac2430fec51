"""The rubrics (test_<exercise>.py) and the engine that plays and scores submissions."""
