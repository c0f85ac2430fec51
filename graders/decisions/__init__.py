"""DECISIONS.md: the numbers that a candidate claims there, and the queries behind them."""
