"""Each promise of SECURITY.md is proved by tests. A new promise needs its tests here; a test that goes leaves a gap."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from core import PROJECT_ROOT

TESTS = PROJECT_ROOT / "tests"
HEADING = "## What the service promises"
# The beginning of a promise, and its tests.
PROOFS: Mapping[str, Sequence[str]] = {
    "Texts of people are in the database": (
        "web/test_hostile.py::test_log_holds_nothing_of_a_request",
        "web/test_conversations.py::test_logs_have_no_id_and_no_words",
        "web/test_status.py::test_metrics_hold_no_text_of_a_person",
        "core/runtime/test_log.py::test_an_exception_is_logged_without_text_of_a_person",
        "core/rag/fetching/test_fetch.py::test_logs_name_the_host_alone",
    ),
    "What a person, a purge or an operator deletes": (
        "core/storage/test_erasing.py::test_a_deleted_conversation_is_in_no_file",
        "core/storage/test_erasing.py::test_updated_rows_are_overwritten",
        "test_deleted_words.py::test_deleted_words_are_in_no_file",
    ),
    "No administrator reads, exports, holds or deletes": (
        "core/records/test_accesses.py::test_accesses_are_listed_in_order",
        "core/records/test_accesses.py::test_a_changed_or_removed_entry_is_seen",
    ),
    "Personal information of the kinds": (
        "core/privacy/test_detection.py::test_planted_identifiers_are_found_and_ordinary_sentences_pass",
        "core/privacy/test_screening.py::test_every_part_of_a_prompt_is_masked",
        "core/privacy/test_screening.py::test_a_blocked_kind_is_refused_without_its_value",
        "bindings/intake/test_intake_screening.py::test_a_message_is_masked_before_it_is_recorded",
        "bindings/intake/test_intake_screening.py::test_a_blocked_message_is_refused_without_a_trace",
    ),
    "Ids of people, workspaces and events": (
        "core/conversation/test_sessions.py::test_ids_are_unguessable_and_stored_as_hashes",
        "core/conversation/test_owned.py::test_the_database_has_no_secret_of_an_owner",
    ),
    "A conversation that has an owner": (
        "web/test_conversations.py::test_a_strangers_conversation_does_not_exist",
        "web/test_conversations.py::test_forget_on_the_socket_needs_the_owner",
        "web/test_conversations.py::test_the_cookie_is_for_this_service_alone",
        "core/conversation/test_owned.py::test_others_cannot_change_a_conversation",
    ),
    "An API key opens its scopes alone": (
        "core/access/test_api_keys.py::test_only_a_hash_of_a_key_is_stored",
        "core/access/test_api_keys.py::test_expired_and_revoked_keys_are_not_found",
        "core/cli/test_keys.py::test_a_key_is_shown_once_listed_and_revoked",
        "web/identity/test_keys.py::test_a_valid_key_opens_its_scopes",
        "web/identity/test_keys.py::test_the_error_has_the_form_of_its_route",
        "web/identity/test_keys.py::test_revoked_and_expired_keys_are_refused",
    ),
    "Pages are fetched from public addresses only": (
        "core/rag/fetching/test_fetch_guard.py::test_no_hostile_url_reaches_the_canary",
        "core/rag/fetching/test_fetch_urls.py::test_redirects_are_checked",
        "core/rag/reading/test_reading.py::test_a_bomb_ends_only_its_child",
        "core/rag/reading/test_reading.py::test_no_file_is_read_for_a_document",
    ),
    "Requests, schemas and documents of strangers": (
        "web/test_hostile_inputs.py::test_hostile_inputs_are_answered",
        "web/test_hostile.py::test_hostile_requests_are_refused_with_a_reason",
        "core/toil/test_validator_pool.py::test_bomb_ends_only_its_child",
        "core/rag/reading/test_reading.py::test_hostile_documents_end_as_a_document_or_a_refusal",
        "core/rag/fetching/test_fetch_bodies.py::test_hostile_bodies_end_within_limits",
    ),
    "An answer of the service names": (
        "core/runtime/test_http_protocol.py::test_a_malformed_request_gets_an_answer_of_ours",
    ),
    "The web service has no accounts and does no TLS": (
        "web/test_client_identity.py::test_only_trusted_programs_may_name_a_user",
        "web/test_conversations.py::test_only_a_trusted_proxy_names_the_person",
        "web/test_origin_guard.py::test_foreign_requests_are_refused",
    ),
}


def promises() -> list[str]:
    """The items below the heading, each on one line."""
    content = (PROJECT_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    section = content.partition(HEADING)[2].partition("\n\n`tests/test_promises.py`")[0]
    return [" ".join(item.split()) for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_promise_has_tests() -> None:
    """A promise without proof, and a proof of nothing, are named."""
    found = promises()
    assert found
    assert [] == [promise for promise in found if not any(promise.startswith(beginning) for beginning in PROOFS)]
    assert [] == [beginning for beginning in PROOFS if not any(promise.startswith(beginning) for promise in found)]


@pytest.mark.parametrize("proof", sorted({proof for proofs in PROOFS.values() for proof in proofs}))
def test_each_proof_is_a_test(proof: str) -> None:
    """The test is there under this name."""
    file, _, name = proof.partition("::")
    assert name in names_in(TESTS / file)
