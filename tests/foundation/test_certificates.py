"""Certificates: what cannot be served is said, our own are made once, and a renewed one is taken up whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from bedside.foundation import certificates, doctor
from bedside.foundation.errors import Invalid

pytestmark = pytest.mark.unit


def test_our_own_is_kept_and_is_for_that_address_alone(tmp_path: Path) -> None:
    pair = certificates.own(tmp_path / "keys", "192.0.2.7")
    certificates.check(pair)
    first = pair[0].read_bytes()
    names = x509.load_pem_x509_certificate(first).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    assert pair[1].stat().st_mode & 0o077 == 0
    certificates.own(tmp_path / "keys", "192.0.2.7")
    assert pair[0].read_bytes() == first
    certificates.own(tmp_path / "keys", "demo.example")
    assert pair[0].read_bytes() != first


def test_what_cannot_be_served_is_said_with_its_file(tmp_path: Path) -> None:
    mine, other = certificates.own(tmp_path / "a", "a.example"), certificates.own(tmp_path / "b", "b.example")
    with pytest.raises(Invalid, match=r"own-cert\.pem"):
        certificates.check((mine[0], other[1]))
    with pytest.raises(Invalid, match="no such file"):
        certificates.check((tmp_path / "nothing.pem", mine[1]))
    (tmp_path / "words.pem").write_text("not a certificate")
    with pytest.raises(Invalid, match=r"words\.pem"):
        certificates.check((tmp_path / "words.pem", mine[1]))
    with pytest.raises(Invalid, match="one of them holds no such thing"):
        certificates.check((mine[0], mine[0]))
    with pytest.raises(Invalid, match="holds no certificate"):
        certificates.ends(tmp_path / "words.pem")


def test_a_renewed_pair_is_taken_up_once_and_only_whole(tmp_path: Path) -> None:
    pair = certificates.own(tmp_path / "live", "a.example")
    newer = certificates.own(tmp_path / "newer", "a.example")
    watch = certificates.Renewals(pair)
    assert not watch.came()
    newer[0].replace(pair[0])
    assert not watch.came(), "it may still be being written"
    assert not watch.came(), "its key is not there yet"
    newer[1].replace(pair[1])
    assert not watch.came()
    assert watch.came()
    assert not watch.came()
    pair[0].unlink()
    assert not watch.came()


def test_doctor_says_when_one_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.certificate({}) == []
    file = certificates.own(tmp_path, "a.example")[0]
    running = {"certificate": str(file)}
    assert [one.state for one in doctor.certificate(running)] == ["good"]
    for left, state, words in (
        (timedelta(days=3), "note", "ends in 3 days"),
        (-timedelta(hours=5), "bad", "expired 5 h"),
    ):
        monkeypatch.setattr(certificates, "ends", lambda _, left=left: datetime.now(UTC) + left)
        found = doctor.certificate(running)
        assert [one.state for one in found] == [state]
        assert words in found[0].what
        assert str(file) in found[0].remedy
