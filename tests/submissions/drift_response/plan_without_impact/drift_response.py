"""The change-control record has no assessment of impact."""

from base_solution import Monitor as Monitor
