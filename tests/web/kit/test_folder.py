"""The handbook's folder needs no server: every way in it leads to a file in it, and it holds no script."""

from __future__ import annotations

import posixpath
import re

import pytest

from bedside.web.kit import Clinic, folder
from bedside.web.kit.book import book

pytestmark = pytest.mark.unit

CLINIC = Clinic("Clínica Ribera", "+34 600 000 000", "112", language="es")
WAY = re.compile(r'(?:href|src)="([^"]*)"')
ELSEWHERE = re.compile(r"^(https:|tel:|data:)")


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Every text of the folder by its path; a picture is an empty one."""
    return {name: "" if name.endswith(".webp") else holds.decode() for name, holds in folder.files("es", CLINIC)}


def test_every_way_leads_to_a_file_and_a_heading(made: dict[str, str]) -> None:
    wrong = []
    for name, html in made.items():
        for way in WAY.findall(html):
            path, _, anchor = way.partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if ELSEWHERE.match(way):
                continue
            if there not in made or (anchor and f'id="{anchor}"' not in made[there]):
                wrong.append(f"{name}: {way}")
    assert wrong == []


def test_every_chapter_is_there_in_the_frame_of_each_language(made: dict[str, str]) -> None:
    pages = {name for name in made if name.endswith(".html")}
    chapters = {f"{language}/{place}.html" for language in ("en", "es") for place in book().chapters}
    assert pages == {"index.html", "en/index.html", *chapters}
    for place in book().chapters:
        assert f'href="es/{place}.html"' in made["index.html"]
        assert f'href="{place}.html"' in made["en/index.html"]
    assert 'lang="es"' in made["index.html"]
    for worst in folder.WORST:
        assert worst in book().chapters
    assert made["index.html"].index("Cuando Bedside no funciona") < made["index.html"].index("Para enfermería")
    assert "Este capítulo está solo en inglés" in made["es/administrator/disk-full.html"]


def test_no_page_holds_a_script_or_asks_a_network(made: dict[str, str]) -> None:
    for name, html in made.items():
        assert "<script" not in html, name
        assert " style=" not in html, name
        assert "/static/" not in html, name
        if name.endswith(".html"):
            assert "script-src &#39;none&#39;" in html, name
            assert not re.search(r'<(?:link|img|source|iframe)[^>]+"https?:', html), name
        if name.endswith(".css"):
            assert not re.search(r"url\((?![\"']?(?:data:|#))", html), name
            assert "@import" not in html, name


def test_the_clinics_telephone_stands_on_every_page(made: dict[str, str]) -> None:
    for name, html in made.items():
        if name.endswith(".html"):
            assert 'href="tel:+34600000000"' in html, name
            assert 'href="tel:112"' in html, name


def test_another_clinic_or_language_is_another_folder() -> None:
    assert folder.stamp("es", CLINIC) == folder.stamp("es", CLINIC)
    assert len({folder.stamp("es", CLINIC), folder.stamp("en", CLINIC), folder.stamp("es", Clinic())}) == 3
