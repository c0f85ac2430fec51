"""Every number may be anything."""

from base_solution import Monitor as Monitor
