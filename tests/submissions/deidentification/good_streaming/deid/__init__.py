"""A small rule engine for de-identification: streaming, standard library and `regex`, random codes."""
