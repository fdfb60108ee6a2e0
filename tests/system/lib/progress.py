"""The metadata of a bridge's commit (bridge/intake/progress_record.h), read independently of the program."""

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _numbers(text):
    number = shift = 0
    for letter in text:
        digit = DIGITS.index(letter)
        number |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            yield number
            number = shift = 0


def settled_beyond(offset, metadata):
    """[(from, to)] of what is settled beyond the committed offset."""
    if not metadata:
        return []
    assert metadata[0] == "1", f"a text of another version: {metadata!r}"
    numbers = _numbers(metadata[1:])
    ranges, at = [], offset
    for _ in range(next(numbers) // 2):
        first = at + next(numbers)
        at = first + next(numbers)
        ranges.append((first, at))
    return ranges


def is_settled(offset, ranges, wanted):
    return wanted < offset or any(first <= wanted < end for first, end in ranges)
