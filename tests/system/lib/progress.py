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


def _begin(metadata):
    """The numbers from the runs on."""
    assert metadata[0] in "12", f"a text of another version: {metadata!r}"
    numbers = _numbers(metadata[1:])
    if metadata[0] == "2":
        _log, _sequence = next(numbers), next(numbers)
    return numbers


def _runs(numbers, offset):
    ranges, at = [], offset
    for _ in range(next(numbers) // 2):
        first = at + next(numbers)
        at = first + next(numbers)
        ranges.append((first, at))
    return ranges


def settled_beyond(offset, metadata):
    """[(from, to)] of what is settled beyond the committed offset."""
    return _runs(_begin(metadata), offset) if metadata else []


def is_settled(offset, ranges, wanted):
    return wanted < offset or any(first <= wanted < end for first, end in ranges)


def letters(offset, metadata):
    """{offset of a held event: (partition, offset) of its dead letter}."""
    if not metadata or metadata[0] != "2":
        return {}
    numbers, found, at = _begin(metadata), {}, offset
    _runs(numbers, offset)
    count = next(numbers)
    if count:
        _written = next(numbers)
    for _ in range(count):
        at += next(numbers)
        _attempts, _age, _wait = next(numbers), next(numbers), next(numbers)
        letter = next(numbers)
        if letter:
            found[at] = (next(numbers), letter - 1)
            _age, _topic = next(numbers), next(numbers)
    return found
