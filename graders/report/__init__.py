"""Scorecards for people: terminal and HTML. Shows what `score` decided; decides nothing."""
