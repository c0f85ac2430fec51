"""Answers to every name, is of no class, and its answers change while they are read."""

import itertools

TYPES = itertools.cycle(["alert", "data_fix", "retrain", None])


class Action(dict):
    def __getitem__(self, key):
        return next(TYPES)

    def get(self, key, default=None):
        return self[key]

    def items(self):
        raise KeyError("items")


class Answer(list):
    def __iter__(self):
        yield from [Action(type="alert")] * 7

    def __len__(self):
        return 3


class Monitor:
    def __new__(cls, *args):
        return super().__new__(cls)

    def __init__(self, *args):
        self.__dict__["card"] = args

    def start(self, batch):
        pass

    def __getattr__(self, name):
        return lambda *args: Answer([Action(type="alert"), Answer()])

    @property
    def __class__(self):
        raise AttributeError("class")
