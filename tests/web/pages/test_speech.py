"""Speech: dictation by the browser's recognition, and answers read aloud by a voice of the device.

Chromium under test has neither a voice nor a microphone. The stand-ins follow the Web Speech API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Locator, expect

from core.contract import Text
from tests.web.pages.support_screen_reader import announced, listen
from tests.web.pages.support_visit import DONE, Visit, Visiting
from tests.web.pages.test_access import violations

pytestmark = pytest.mark.asyncio(loop_scope="package")  # the browser lives in that loop

RECOGNITION = """(() => {
    class Recognition extends EventTarget {
        static availability = 'unavailable';
        static async available() { return Recognition.availability; }
        start() { globalThis.recognition = this; }
        stop() { this.dispatchEvent(new Event('end')); }
        hear(...words) {
            const results = words.map(([transcript, isFinal]) => Object.assign([{ transcript }], { isFinal }));
            this.dispatchEvent(Object.assign(new Event('result'), { resultIndex: 0, results }));
        }
        fail(error) { this.dispatchEvent(Object.assign(new Event('error'), { error })); this.stop(); }
    }
    globalThis.SpeechRecognition = globalThis.webkitSpeechRecognition = Recognition;
})()"""

SYNTHESIS = """(() => {
    class Synthesis extends EventTarget {
        voices = ['en-US', 'en-CA', 'fr-FR'].map((lang) => ({ lang, localService: true, name: lang }));
        said = [];
        getVoices() { return this.voices; }
        speak(utterance) { this.current = utterance; this.said.push([utterance.voice.lang, utterance.text]); }
        cancel() { const last = this.current; this.current = null; last?.dispatchEvent(new Event('end')); }
        endSentence() { const last = this.current; this.current = null; last.dispatchEvent(new Event('end')); }
    }
    Object.defineProperty(globalThis, 'speechSynthesis', { value: new Synthesis() });
    globalThis.SpeechSynthesisUtterance = class extends EventTarget {
        constructor(text) { super(); this.text = text; }
    };
})()"""


@asynccontextmanager
async def with_stand_ins(visiting: Visiting, answer: str = "Sure.", *scripts: str) -> AsyncIterator[Visit]:
    async with visiting([Text(answer), DONE]) as visit:
        for script in scripts:
            await visit.page.add_init_script(script)
        await visit.open()
        yield visit


def dictate(visit: Visit) -> Locator:
    return visit.page.get_by_role("button", name="Dictate", exact=True)


async def test_buttons_appear_only_where_the_browser_can(visiting: Visiting) -> None:
    """Without recognition and without a voice of the device there are none. A vendor's voices do not count."""
    remote = "Object.assign(speechSynthesis, { voices: [{ lang: 'en-CA', localService: false }] })"
    hidden = "delete globalThis.SpeechRecognition; delete globalThis.webkitSpeechRecognition"
    async with with_stand_ins(visiting, "Sure.", SYNTHESIS, remote, hidden) as visit:
        await visit.ask("first")
        await visit.wait_for_answer()
        await expect(dictate(visit)).to_be_hidden()
        await expect(visit.page.locator("[data-aloud]:visible")).to_have_count(0)
        await visit.page.evaluate("() => { speechSynthesis.voices[0].localService = true; }")
        await visit.page.evaluate("() => speechSynthesis.dispatchEvent(new Event('voiceschanged'))")
        await expect(visit.page.locator("[data-aloud]:visible")).not_to_have_count(0)


async def test_dictation_begins_after_consent(visiting: Visiting) -> None:
    """The notice says where the speech goes. Final words are typed at the cursor, others are shown beside the field."""
    async with with_stand_ins(visiting, "Sure.", RECOGNITION) as visit:
        page, question = visit.page, visit.page.locator("#question")
        await question.fill("Please: ")
        await dictate(visit).click()
        dialog = page.get_by_role("dialog", name="Dictate your question?")
        await expect(dialog).to_contain_text("maker of your browser")
        assert await violations(page) == []
        await dialog.get_by_role("button", name="Cancel").click()
        assert await page.evaluate("() => globalThis.recognition === undefined")
        await expect(dictate(visit)).to_be_focused()
        await dictate(visit).click()
        await dialog.get_by_role("button", name="Dictate").click()
        await expect(page.get_by_role("button", name="Stop dictating")).to_be_visible()
        assert await page.evaluate("() => recognition.lang") == "en-CA"
        await page.evaluate("() => recognition.hear(['how long', false])")
        await expect(page.locator("#dictation")).to_have_text("how long")
        await page.evaluate("() => recognition.hear(['how long is it?', true])")
        await expect(question).to_have_value("Please: how long is it? ")
        await page.keyboard.press("Escape")
        await expect(dictate(visit)).to_be_visible()
        await page.keyboard.press("Control+z")
        await expect(question).to_have_value("Please: ")
        await dictate(visit).click()
        await expect(page.get_by_role("button", name="Stop dictating")).to_be_visible()
        await page.evaluate("() => recognition.fail('not-allowed')")
        await expect(page.locator("#status")).to_contain_text("microphone")
        await expect(dictate(visit)).to_be_visible()


async def test_recognition_on_the_device_needs_no_notice(visiting: Visiting) -> None:
    """Nothing leaves the device: the browser is told so. Sending the question ends the dictation."""
    on_device = "SpeechRecognition.availability = 'available'"
    async with with_stand_ins(visiting, "Sure.", RECOGNITION, on_device) as visit:
        await dictate(visit).click()
        await expect(visit.page.get_by_role("button", name="Stop dictating")).to_be_visible()
        assert await visit.page.evaluate("() => recognition.processLocally")
        await visit.page.evaluate("() => recognition.hear(['hello', true])")
        await visit.page.keyboard.press("Enter")
        await visit.wait_for_answer()
        await expect(dictate(visit)).to_be_visible()
        assert [prompt.text for prompt in visit.engine.prompts] == ["hello"]


async def test_an_answer_is_read_aloud_by_sentences(visiting: Visiting) -> None:
    """In its own language, without code. A pause repeats the sentence. Nothing is added for screen readers."""
    french = "Les employés ont droit à un congé. Il dure dix-huit mois.\n\n```\ncode\n```\n\n- Fin de la réponse."
    async with with_stand_ins(visiting, french, SYNTHESIS) as visit:
        page = visit.page
        await visit.ask("first")
        await visit.wait_for_answer()
        await listen(page)
        await page.keyboard.press("Alt+Shift+R")
        await expect(page.get_by_role("button", name="Pause reading")).to_be_visible()
        await page.wait_for_function("() => speechSynthesis.current")
        await page.evaluate("() => speechSynthesis.endSentence()")
        await page.get_by_role("button", name="Pause reading").click()
        await page.get_by_role("button", name="Continue reading").click()
        await page.wait_for_function("() => speechSynthesis.current")
        await page.evaluate("() => speechSynthesis.endSentence()")
        await page.wait_for_function("() => speechSynthesis.current")
        await page.evaluate("() => speechSynthesis.endSentence()")
        await expect(page.get_by_role("button", name="Stop reading")).to_have_count(0)

        said = await page.evaluate("() => speechSynthesis.said")
        assert said == [
            ["fr-FR", "Les employés ont droit à un congé."],
            ["fr-FR", "Il dure dix-huit mois."],
            ["fr-FR", "Il dure dix-huit mois."],
            ["fr-FR", "Fin de la réponse."],
        ]
        assert await announced(page) == []
        await page.get_by_role("button", name="Read aloud").last.click()
        await page.get_by_role("button", name="Stop reading").click()
        await expect(page.get_by_role("button", name="Read aloud").last).to_be_focused()
        assert await page.evaluate("() => speechSynthesis.current") is None


async def test_the_microphone_is_allowed_to_this_page_alone(visiting: Visiting) -> None:
    """Permissions-Policy allows it for speech input; cameras and places stay forbidden."""
    async with visiting([DONE]) as visit:
        response = await visit.page.request.get(f"{visit.origin}/static/index.html")

        policy = response.headers["permissions-policy"]
        assert ("microphone=(self)" in policy, "camera=()" in policy, "geolocation=()" in policy) == (True, True, True)
