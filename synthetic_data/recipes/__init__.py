"""One module per exercise: what the candidate gets, what only the grader knows, and the steps of a play."""
