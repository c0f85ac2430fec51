"""One change of each type a year is more than enough, says the record."""

from base_solution import Monitor as Monitor
