"""Independent processes that do one task at a time, and may die: what one was doing is done once more by another."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Generic, TypeVar

from graders.harness.kernel import SET_PDEATHSIG, prctl

Task = TypeVar("Task")
Result = TypeVar("Result")
# A task whose worker died is tried once more.
TRIES = 2


@dataclass(frozen=True)
class Done(Generic[Task, Result]):
    """A task and its result, or why there is none: the exception that it raised, or None when its workers died."""

    task: Task
    result: Result | None
    error: Exception | None = None


def each(function: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> Iterator[Done[Task, Result]]:
    """Apply a function of a module to every task, in `workers` processes; yields in the order of completion.

    Every worker has an executor of its own: the death of one breaks what it was doing and nothing else.
    """
    waiting: queue.SimpleQueue[tuple[Task, int]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Done[Task, Result]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put((task, 1))
    stop = threading.Event()

    def work() -> None:
        executor: ProcessPoolExecutor | None = None
        while not stop.is_set():
            try:
                task, count = waiting.get(timeout=0.1)
            except queue.Empty:
                continue
            try:
                executor = executor or new_executor()
                done.put(Done(task, executor.submit(function, task).result()))
            except (BrokenProcessPool, KeyboardInterrupt):
                # An interrupt of the whole program sets `stop`; one that only the worker got is as good as its death.
                if executor:
                    executor.shutdown()
                executor = None
                if count < TRIES:
                    waiting.put((task, count + 1))
                else:
                    done.put(Done(task, None))
            except Exception as error:
                done.put(Done(task, None, error))
        if executor:
            executor.shutdown()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(workers, len(tasks)))]
    with safe_path():
        for thread in threads:
            thread.start()
        try:
            for _ in tasks:
                yield done.get()
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@contextlib.contextmanager
def safe_path() -> Iterator[None]:
    """A new Python looks for modules in the current folder first, which may be a submission: not those started here."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def new_executor() -> ProcessPoolExecutor:
    """One worker, started with its first task."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),))


def end_with_parent(parent: int) -> None:
    """In a worker: when the process that hands out tasks is killed, so is this one, and with it its sandbox."""
    prctl(SET_PDEATHSIG, signal.SIGKILL)
    # Killed while this one started, it sends no signal any more, and the queue of tasks would be waited on for ever.
    if os.getppid() != parent:
        os._exit(1)
