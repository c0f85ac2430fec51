"""A small service: patients of four sites, and their risk of a readmission within 30 days."""
