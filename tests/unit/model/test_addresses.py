"""Addresses and blocks of addresses as the API takes them, and their families."""

from __future__ import annotations

from kubectl_netpol.model.addresses import by_family, family, is_among, other_family, shared_family


def test_the_family_of_an_address() -> None:
    assert [family(text) for text in ("10.0.0.1", "fd00::1", "::ffff:10.0.0.1")] == [4, 6, 4]


def test_an_address_is_among_others_however_it_is_written() -> None:
    assert is_among("fd00:0:0::1", ("10.0.0.1", "fd00::1"))
    assert is_among("::ffff:10.0.0.1", ("10.0.0.1",))
    assert not is_among("10.0.0.2", ("10.0.0.1", "fd00::1"))
    assert not is_among("10.0.0.1", ())


def test_the_first_address_of_each_family() -> None:
    assert by_family(("10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2")) == {4: "10.0.0.1", 6: "fd00::1"}


def test_an_address_of_a_family_that_the_others_have_too_or_the_first_one() -> None:
    assert shared_family(("10.0.0.1", "fd00::1", "fd00::2"), ("2001:db8::1",)) == "fd00::1"
    assert shared_family(("10.0.0.1",), ("2001:db8::1",)) == "10.0.0.1"
    assert shared_family(("10.0.0.1", "fd00::1"), ("fd00::9", "10.0.0.9")) == "10.0.0.1"
    assert shared_family(("fd00::1", "10.0.0.1"), ()) == "fd00::1"
    assert shared_family((), ("10.0.0.1",)) is None


def test_an_address_of_the_other_family() -> None:
    assert other_family(("10.0.0.1", "10.0.0.2", "fd00::1"), "10.0.0.9") == "fd00::1"
    assert other_family(("10.0.0.1",), "10.0.0.9") is None
