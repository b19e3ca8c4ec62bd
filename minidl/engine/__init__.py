"""The engine: arrays that remember where they came from, the tape, gradient checks, and blocks on threads."""

from minidl.engine.memory import keep_freed_memory

keep_freed_memory()     # before the first large array: a training step makes the same ones again and again
