"""Bytes arrive right whatever servers and networks do: cuts, stalls, wrong bytes, expired addresses, no ranges."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.library.download import patience
from core.model.library.download.failures import DownloadFailed
from core.model.library.download.progress import DownloadProgress
from core.model.library.specs import HubFile
from tests.core.model.library.download.support import (
    FAST,
    IMPATIENT,
    NAME,
    PLACE,
    SEGMENT_BYTES,
    SOURCE,
    fetch_a_part,
    fetch_from,
    files_in,
    model_bytes,
)
from tests.support.fake_hub import REPO, FakeHub, Fault

SIZE = 200_000
WHOLE = Fault(after_bytes=1 << 30)  # nothing happens to this request


@pytest.mark.slow
@settings(max_examples=15)
@given(
    faults=st.lists(
        st.builds(Fault, after_bytes=st.integers(0, SEGMENT_BYTES))
        | st.builds(Fault, status=st.sampled_from([429, 500, 502, 503]))
        | st.builds(Fault, headers=st.just({"Content-Range": "bytes 7-99/200000"}))
        | st.just(WHOLE),
        max_size=25,
    ),
    redirects=st.booleans(),
)
async def test_any_sequence_of_faults_ends_with_the_right_file(
    tmp_path_factory: pytest.TempPathFactory, faults: list[Fault], redirects: bool
) -> None:
    """Connections that break at any byte, busy servers, and answers for another range."""
    models = tmp_path_factory.mktemp("models")
    with FakeHub({NAME: model_bytes()}) as hub:
        hub.faults.extend(faults)
        hub.redirects = redirects

        assert hub.files[NAME] == (await fetch_from(hub, models)).read_bytes()
    assert [f"{PLACE}/{NAME}"] == files_in(models)


async def test_a_cut_connection_goes_on_where_it_was_cut(hub: FakeHub, tmp_path: Path) -> None:
    """The next request asks for the rest of the segment, and no byte is sent twice."""
    hub.faults.append(Fault(after_bytes=5000))
    await fetch_from(hub, tmp_path)

    cut = next(request.byte_range for request in hub.body_requests)
    first = int((cut or "").removeprefix("bytes=").partition("-")[0])
    assert f"bytes={first + 5000}-{first + SEGMENT_BYTES - 1}" in [each.byte_range for each in hub.body_requests]
    assert 0 == hub.bytes_sent_twice()


async def test_a_stalled_connection_is_replaced(hub: FakeHub, tmp_path: Path) -> None:
    """It stays open and sends nothing."""
    hub.faults.append(Fault(after_bytes=5000, stall=True))

    found = await fetch_from(hub, tmp_path, policy=replace(FAST, stall_s=0.2))
    assert hub.files[NAME] == found.read_bytes()


async def test_a_connection_that_trickles_is_replaced(hub: FakeHub, tmp_path: Path) -> None:
    """It sends a little, too often for a timeout: less than the floor in the time of a stall."""
    trickling = replace(IMPATIENT, connections=1, stall_s=1e-9, stall_floor_bytes=1 << 30)
    with pytest.raises(DownloadFailed) as failure:
        await fetch_from(hub, tmp_path, policy=trickling)

    assert failure.value.reason == "unreachable"


# --- wrong bytes -----------------------------------------------------------------------------------------------------


async def test_wrong_bytes_are_fetched_anew(hub: FakeHub, tmp_path: Path) -> None:
    """Their sha256 is wrong. The file is thrown away, and the next one is right."""
    hub.faults.append(Fault(after_bytes=100, flip=True))

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert SIZE < hub.sent_bytes <= 2 * SIZE


async def test_wrong_bytes_again_and_again_end_with_an_error(hub: FakeHub, tmp_path: Path) -> None:
    """A file with the wrong sha256 is never among the models. The number of attempts is bounded."""
    hub.stated[NAME] = "0" * 64
    with pytest.raises(DownloadFailed, match="damaged") as failure:
        await fetch_from(hub, tmp_path)

    assert failure.value.reason == "corrupt"
    assert FAST.attempts * SIZE == hub.sent_bytes
    assert ["lock", "progress.json"] == sorted(Path(name).name for name in files_in(tmp_path))
    del hub.stated[NAME]
    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_bytes_of_an_earlier_attempt_are_checked_too(hub: FakeHub, tmp_path: Path) -> None:
    """A wrong byte that arrived before a stop is found after it."""
    hub.faults.append(Fault(after_bytes=100, flip=True))
    await fetch_a_part(hub, tmp_path)

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_file_that_is_not_gguf_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    """Its name and checksum do not matter."""
    hub.files[NAME] = b"<html>" * 100
    with pytest.raises(DownloadFailed, match="not a GGUF file"):
        await fetch_from(hub, tmp_path)

    assert not (tmp_path / PLACE).exists()


async def test_more_bytes_than_announced_are_not_written(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(after_bytes=SEGMENT_BYTES, extra=b"more" * 1000))

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_git_blob_id_is_checked_where_no_sha256_is_stated(hub: FakeHub, tmp_path: Path) -> None:
    """The hub states it for files that are not in LFS."""
    data = hub.files[NAME]
    right = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    hub.linked = False
    for blob_id, is_right in ((right, True), ("0" * 40, False)):
        hub.listed = lambda entry, blob_id=blob_id: {**entry, "blobId": blob_id, "lfs": None}  # type: ignore[misc]
        models = tmp_path / str(is_right)
        if is_right:
            assert data == (await fetch_from(hub, models)).read_bytes()
        else:
            with pytest.raises(DownloadFailed, match="damaged"):
                await fetch_from(hub, models)


async def test_without_any_checksum_nothing_is_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    hub.linked = False
    hub.listed = lambda entry: {"rfilename": entry["rfilename"], "size": entry["size"]}
    with pytest.raises(DownloadFailed, match="states no checksum"):
        await fetch_from(hub, tmp_path)

    assert [] == hub.sent


async def test_the_checksum_and_size_with_the_address_suffice(hub: FakeHub, tmp_path: Path) -> None:
    """Some mirrors list names alone, and state the rest in X-Linked-Etag and X-Linked-Size."""
    hub.listed = lambda entry: {"rfilename": entry["rfilename"]}

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


# --- what the catalogue states ---------------------------------------------------------------------------------------


async def test_the_catalogues_sha256_goes_before_the_hubs(hub: FakeHub, tmp_path: Path) -> None:
    """Another file under the same name is refused before a byte of it is fetched."""
    pinned = HubFile(REPO, SOURCE.pattern, (hub.sha256(NAME),))
    assert hub.files[NAME] == (await fetch_from(hub, tmp_path / "1", pinned)).read_bytes()
    hub.files[NAME] = model_bytes(seed=9)
    hub.sent.clear()
    with pytest.raises(DownloadFailed, match="catalogue") as failure:
        await fetch_from(hub, tmp_path / "2", pinned)

    assert (failure.value.reason, []) == ("changed", hub.sent)


async def test_a_hub_that_states_the_catalogues_sha256_must_send_its_bytes(hub: FakeHub, tmp_path: Path) -> None:
    hub.stated[NAME] = hub.sha256(NAME)
    hub.files[NAME] = model_bytes(seed=9)
    with pytest.raises(DownloadFailed, match="damaged"):
        await fetch_from(hub, tmp_path, HubFile(REPO, SOURCE.pattern, (hub.stated[NAME],)))


# --- servers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Length": "999"}])
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_page_in_place_of_the_file_is_not_written(
    hub: FakeHub, tmp_path: Path, headers: dict[str, str], ranges: bool
) -> None:
    """Sign-in pages and proxies answer with status 200. What had arrived before stays right."""
    await fetch_a_part(hub, tmp_path)
    hub.sent.clear()
    hub.ranges = ranges
    hub.faults.extend([Fault(status=200, headers=headers)] * 4)

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert ranges == (hub.sent_bytes < SIZE)


@pytest.mark.parametrize("redirects", [True, False])
async def test_a_server_without_ranges_sends_one_stream(hub: FakeHub, tmp_path: Path, redirects: bool) -> None:
    """After a cut it begins again; bytes that are there are not written twice."""
    hub.ranges, hub.redirects = False, redirects
    hub.faults.extend([WHOLE, Fault(after_bytes=70_000), Fault(after_bytes=150_000)])

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_hub_without_a_file_server_is_used_directly(hub: FakeHub, tmp_path: Path) -> None:
    """Mirrors often send the bytes themselves."""
    hub.redirects = False

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert {"hub"} == {request.server for request in hub.requests}


@pytest.mark.parametrize("redirects", [True, False])
async def test_a_mirror_that_refuses_head_is_asked_by_get(hub: FakeHub, tmp_path: Path, redirects: bool) -> None:
    """The body of that answer is not read."""
    hub.redirects, hub.refuses_head = redirects, True

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_an_expired_address_is_fetched_anew(hub: FakeHub, tmp_path: Path) -> None:
    """Signed addresses live for minutes, downloads for hours."""
    hub.url_uses = 4

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()
    assert 0 == hub.bytes_sent_twice()
    assert len([request for request in hub.requests if request.method == "HEAD"]) > 1


async def test_addresses_that_are_refused_at_once_end_the_attempt(hub: FakeHub, tmp_path: Path) -> None:
    hub.url_uses = 0
    with pytest.raises(DownloadFailed, match="does not answer as a Hugging Face hub does"):
        await fetch_from(hub, tmp_path, policy=IMPATIENT)


async def test_retry_after_holds_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with a time: no connection asks again before. Limits bound a server's time of days."""
    waits: list[float] = []

    async def note(delay: float) -> None:
        waits.append(delay)

    monkeypatch.setattr(patience.asyncio, "sleep", note)
    waiting = patience.Patience(FAST, clock=lambda: 100.0)
    for seconds, expected in ((5.0, 5.0), (86_400.0, FAST.retry_after_limit_s)):
        await waiting.pause(patience.HubBusy("hub", 429, seconds), failures=1)
        await waiting.wait_for_turn()
        assert [expected, expected] == waits
        waits.clear()


async def test_busy_servers_are_asked_again(hub: FakeHub, tmp_path: Path) -> None:
    """429 and 5xx, of the API, of the hub's addresses and of the file server."""
    hub.statuses.extend([(503, {}), (429, {"Retry-After": "0"})])
    hub.faults.extend([Fault(status=503), Fault(status=429, headers={"Retry-After": "0"})])

    assert hub.files[NAME] == (await fetch_from(hub, tmp_path)).read_bytes()


async def test_a_hub_that_stays_busy_ends_the_attempt(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.extend([Fault(status=503)] * 20)
    with pytest.raises(DownloadFailed, match="status 503") as failure:
        await fetch_from(hub, tmp_path, policy=IMPATIENT)

    assert failure.value.transient


async def test_waiting_for_a_server_is_shown(hub: FakeHub, tmp_path: Path) -> None:
    """The progress has the reason while no bytes arrive."""
    reported: list[DownloadProgress] = []

    def on_progress(progress: DownloadProgress) -> None:
        reported.append(progress)
        if progress.state == "waiting":
            hub.faults.clear()

    hub.faults.extend([Fault(status=503)] * 100_000)
    await fetch_from(hub, tmp_path, on_progress=on_progress)

    waiting = next(progress for progress in reported if progress.state == "waiting")
    assert ("busy", None) == (waiting.fault, waiting.expected_s)
    assert "status 503" in (waiting.problem or "")


async def test_an_encoded_body_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    """Its bytes are not those of the file, whatever the range says."""
    hub.faults.append(Fault(headers={"Content-Encoding": "gzip"}))
    with pytest.raises(DownloadFailed, match="does not answer as"):
        await fetch_from(hub, tmp_path, policy=replace(IMPATIENT, connections=1))


async def test_another_size_than_listed_is_noticed(hub: FakeHub, tmp_path: Path) -> None:
    """The list and the address differ for good: after some tries the hub is not trusted."""
    hub.listed = lambda entry: {**entry, "lfs": {**entry["lfs"], "size": 5}}
    with pytest.raises(DownloadFailed, match="does not answer as"):
        await fetch_from(hub, tmp_path)

    assert [] == hub.sent
