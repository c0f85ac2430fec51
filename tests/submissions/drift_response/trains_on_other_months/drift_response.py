"""The record asks for six months of training data, and three are used."""

from base_solution import Monitor as Monitor
