"""Every error this library raises on purpose.

FixlipError
|-- InputError                  the caller's input; ``field`` names it, the message says what is accepted
|   |-- InvalidImageError       not a picture, or one that cannot be used
|   |-- InvalidCaptionError     empty, no words, or longer than the model's context
|   |-- InvalidParameterError   a parameter outside its range
|   |-- UnknownModelError       no model of that name
|   |-- UnknownMethodError      no method of that name
|   `-- UnknownMetricError      no evaluation metric of that name
|-- WeightsNotFoundError        a model's weights are not there, or are not what they should be
|   `-- WeightsDigestError      the checkpoint file is not that of the digest
|-- TokenizerNotFoundError      a tokenizer's file is not on this machine, or cannot be read
|-- UnsupportedModelError       a model that the adapter asked for cannot run
|-- FormatError                 a stored explanation, or a record of one, that cannot be read
|-- KeyFileError                a key's file that cannot be read, or cannot be relied on
|-- DatasetError                a data set's folder or file is not what it should be
|-- NotAdditiveError            an explanation that attributes, asked to predict
|-- NotComparableError          explanations that are not of one picture and one caption
|-- RenderingLostError          the process that drew is gone
|-- DeviceMemoryError           a single row of a job does not fit on the device
|-- DeviceLostError             the device answers no more in this process
|-- BatcherStoppedError         rows handed to a batcher that was stopped
|-- DeadlineExceededError       the work was stopped because its time was up
`-- CanceledError               the caller's ``progress`` asked to stop
"""

from __future__ import annotations

__all__ = [
    "BatcherStoppedError",
    "CanceledError",
    "DatasetError",
    "DeadlineExceededError",
    "DeviceLostError",
    "DeviceMemoryError",
    "FixlipError",
    "FormatError",
    "InputError",
    "InvalidCaptionError",
    "InvalidImageError",
    "InvalidParameterError",
    "KeyFileError",
    "NotAdditiveError",
    "NotComparableError",
    "RenderingLostError",
    "TokenizerNotFoundError",
    "UnknownMethodError",
    "UnknownMetricError",
    "UnknownModelError",
    "UnsupportedModelError",
    "WeightsDigestError",
    "WeightsNotFoundError",
]


class FixlipError(Exception):
    """Base of the tree. ``code`` is a stable snake_case word for programs."""

    code = "error"


class InputError(FixlipError, ValueError):
    """An input that cannot be accepted.

    Args:
        message: what is wrong and what would be accepted.
        field: the input's name, as the caller knows it.
        code: a finer code than the class's own.
    """

    code = "invalid_input"

    def __init__(self, message: str, *, field: str, code: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        if code is not None:
            self.code = code


class InvalidImageError(InputError):
    """The image is not one, or cannot be used."""

    code = "invalid_image"

    def __init__(self, message: str, *, field: str = "image", code: str | None = None) -> None:
        super().__init__(message, field=field, code=code)


class InvalidCaptionError(InputError):
    """The caption is empty, has no words, or is longer than the model's context."""

    code = "invalid_caption"

    def __init__(self, message: str, *, field: str = "caption", code: str | None = None) -> None:
        super().__init__(message, field=field, code=code)


class InvalidParameterError(InputError):
    """A parameter is outside its range."""

    code = "invalid_parameter"


class UnknownModelError(InputError):
    """No model of that name is known."""

    code = "unknown_model"

    def __init__(self, message: str, *, field: str = "model", code: str | None = None) -> None:
        super().__init__(message, field=field, code=code)


class UnknownMethodError(InputError):
    """No explanation method of that name is known."""

    code = "unknown_method"

    def __init__(self, message: str, *, field: str = "method", code: str | None = None) -> None:
        super().__init__(message, field=field, code=code)


class UnknownMetricError(InputError):
    """No evaluation metric of that name is known."""

    code = "unknown_metric"

    def __init__(self, message: str, *, field: str = "evaluate", code: str | None = None) -> None:
        super().__init__(message, field=field, code=code)


class WeightsNotFoundError(FixlipError):
    """A model's weights are not there, cannot be read, or do not belong to its architecture."""

    code = "weights_not_found"


class WeightsDigestError(WeightsNotFoundError):
    """The checkpoint file is not the one whose digest was given."""

    code = "weights_digest"


class TokenizerNotFoundError(FixlipError):
    """A tokenizer's file is not on this machine, or cannot be read."""

    code = "tokenizer_not_found"


class UnsupportedModelError(FixlipError):
    """The model's towers are not of the kind that the adapter masks."""

    code = "unsupported_model"


class FormatError(FixlipError, ValueError):
    """A stored explanation, or a record of one, is damaged or of another format."""

    code = "invalid_format"


class KeyFileError(FixlipError):
    """A key's file cannot be read, has no key of the kind that is needed, or is open to others."""

    code = "invalid_key_file"


class DatasetError(FixlipError):
    """A folder or file of a data set is missing, damaged, or not what its kind has; the message names it."""

    code = "invalid_dataset"


class NotAdditiveError(FixlipError):
    """The explanation attributes a score to players but is no model of it, so it predicts nothing."""

    code = "not_additive"


class NotComparableError(FixlipError, ValueError):
    """The explanations are not of the same picture and the same caption, or are too few."""

    code = "not_comparable"


class RenderingLostError(FixlipError):
    """The process that drew is gone: killed, out of memory, or never started. Drawing again may well succeed."""

    code = "rendering_lost"


class DeviceMemoryError(FixlipError):
    """The device cannot hold a single row of the job: no smaller batch helps."""

    code = "out_of_memory"


class DeviceLostError(FixlipError):
    """The device failed in a way that lasts as long as the process: whoever has others to serve must end it."""

    code = "device_lost"


class BatcherStoppedError(FixlipError):
    """The batcher that ran the rows was stopped."""

    code = "batcher_stopped"


class DeadlineExceededError(FixlipError):
    """The work took longer than it was given."""

    code = "deadline_exceeded"


class CanceledError(FixlipError):
    """The caller asked to stop, from its ``progress`` callback."""

    code = "canceled"
