"""The assessment of impact is the same for every change."""

from base_solution import Monitor as Monitor
