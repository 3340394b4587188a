"""The parsing of URLs, and the URLs that are refused unopened."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hostile_urls import FORMS, ODD_URLS, PORTS
from core.errors import FetchRefused
from core.rag.fetching.url_policy import check_redirect, check_url, url_origin

# Numbers in unusual digits are an address; the connection checks whether it is public.
ADDRESSES = {"127.0.0.1.", "127。0。0。1", "127．0．0．1", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[0000::1]"}
ADDRESSES |= {"[::ffff:127.0.0.1]:80"}
# So is a port; and the rest after the host does not matter.
FINE = {"http://127.0.0.1:٨٠/", "http://127.0.0.1#@example.org/", "http://127.0.0.1?@example.org/"}


@pytest.mark.parametrize("form", sorted(set(FORMS) - ADDRESSES))
def test_ambiguous_hosts_are_refused(form: str) -> None:
    """They are refused before anything is resolved."""
    with pytest.raises(FetchRefused):
        check_url(f"http://{form}/")


@pytest.mark.parametrize("url", sorted(set(ODD_URLS) - FINE))
def test_malformed_urls_are_refused(url: str) -> None:
    """Other schemes, userinfo, backslashes, control characters, blanks and invalid ports."""
    with pytest.raises(FetchRefused):
        check_url(url)


@pytest.mark.parametrize("port", PORTS)
def test_only_ports_80_and_443_are_opened(port: int) -> None:
    """Other ports serve no pages."""
    with pytest.raises(FetchRefused, match="80 and 443"):
        check_url(f"http://example.org:{port}/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.canada.ca/en.html", "https://www.canada.ca/en.html"),
        ("HTTPS://WWW.Canada.CA/En?Q=A", "https://www.canada.ca/En?Q=A"),
        ("https://www.canada.ca.:443/#top", "https://www.canada.ca/"),
        ("http://example.org:443/", "http://example.org:443/"),
        (
            "https://Québec.example.org/été?où=là bas",
            "https://xn--qubec-csa.example.org/%C3%A9t%C3%A9?o%C3%B9=l%C3%A0%20bas",
        ),
        ("http://93.184.215.14/", "http://93.184.215.14/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("https://a_b.example.org/?to=user@example.org%20%5C", "https://a_b.example.org/?to=user@example.org%20%5C"),
    ],
)
def test_ordinary_urls_are_opened(url: str, expected: str) -> None:
    """The result is in lower-case ASCII, without default port, final dot and fragment."""
    assert expected == str(check_url(url))


def test_an_allowed_host_and_port_is_not_checked() -> None:
    """Another port or name of the same machine is still checked."""
    allow = frozenset({"localhost:8080"})

    assert "http://localhost:8080/" == str(check_url("http://LOCALHOST:8080/", allow))
    for url in ("http://localhost:8081/", "http://127.0.0.1:8080/", "http://localhost/", "http://u@localhost:8080/"):
        with pytest.raises(FetchRefused):
            check_url(url, allow)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/a", "https://example.org/a"),
        ("b?c", "https://example.org/x/b?c"),
        ("//example.net/", "https://example.net/"),
        ("https://example.net/é", "https://example.net/%C3%A9"),
    ],
)
def test_redirects_are_resolved(location: str, expected: str) -> None:
    """Relative ones start at their page."""
    assert expected == str(check_redirect(httpx.URL("https://example.org/x/y"), location))


@pytest.mark.parametrize("location", ["http://example.org/", "//localhost/", "\\\\a.b", "https:x", "https://a@b.c/"])
def test_redirects_are_checked(location: str) -> None:
    """A redirect from https to http is refused, and any URL that would be refused itself."""
    with pytest.raises(FetchRefused):
        check_redirect(httpx.URL("https://example.org/x"), location)


def test_errors_do_not_repeat_the_path() -> None:
    """A path may reveal what a person does, and errors may reach a log."""
    with pytest.raises(FetchRefused) as raised:
        check_url("http://example.org:8080/my/secret?of=mine")

    assert "secret" not in raised.value.message
    assert "mine" not in raised.value.message


@given(
    st.text(max_size=60) | st.from_regex(r"https?:\\?/*[^/]{0,20}[@:\[\].%0-9a-fx\\]{0,20}/?.{0,20}", fullmatch=True)
)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """No other exception is raised, and a parsed URL parses to itself."""
    base = httpx.URL("https://example.org/x")
    for read in (check_url, lambda location: check_redirect(base, location)):
        try:
            url = read(text)
        except FetchRefused:
            continue
        assert url.scheme in ("http", "https")
        assert not url.userinfo
        assert (url.port or 80) in (80, 443)
        assert str(url) == str(check_url(str(url)))


def test_an_ipv6_origin_has_brackets() -> None:
    """URLs and `allow` write it the same way."""
    assert "[::1]:80" == url_origin(httpx.URL("http://[::1]/"))
