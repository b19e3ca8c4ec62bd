"""The engine: tensors, the tape, gradient checks and work on threads. It knows no op and no layer."""
