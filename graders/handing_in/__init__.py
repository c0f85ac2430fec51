"""What is looked at before a candidate's work is played or packed; nothing of it touches a score."""
