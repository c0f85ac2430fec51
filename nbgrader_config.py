"""nbgrader's settings for this clone: `nbgrader generate_assignment NAME` releases an exercise's notebook."""

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "caredrill"
c.CourseDirectory.source_directory = "exercises"
# An unknown assignment is made on the fly: an exercise is a folder, not a row typed into a database.
c.GenerateAssignment.create_assignment = True
# The notebook and the pages its brief links to are released: the starter's code is in its cells, practice data comes
# from a command.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "starter",
    "exercise.toml",
    "README.md",
    "*.py",
]
# A student's file must stay importable before anything is written into it.
c.ClearSolutions.code_stub = {"python": "# your code here"}
