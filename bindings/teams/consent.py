"""What a person says to the offer of a file: it is put in their OneDrive, or thrown away."""

from __future__ import annotations

import structlog
from botbuilder.schema import Activity, Attachment
from botbuilder.schema.teams import FileInfoCard

from bindings.delivery.context import DeliveryContext, RetryingCaller
from bindings.delivery.outlet import DeliveryError, Translations, Upload
from bindings.incoming import Place
from bindings.teams import messages, words
from bindings.teams.activities import language_of, member, text_at
from bindings.teams.connector import Connector
from bindings.teams.files import Files
from bindings.teams.hosts import Hosts
from bindings.teams.mapping import place_of
from bindings.teams.parcels import Parcels
from core.contract import Language
from core.language import parse_language_tag

log = structlog.get_logger()

FILE_CARD = "application/vnd.microsoft.teams.card.file.info"


class Consents:
    """`context`: how long it is tried again to put a file into a OneDrive that is busy."""

    def __init__(
        self, connector: Connector, files: Files, parcels: Parcels, hosts: Hosts, context: DeliveryContext
    ) -> None:
        self._connector = connector
        self._files = files
        self._parcels = parcels
        self._hosts = hosts
        self._context = context
        self._under_way: set[str] = set()  # parcels: a person may accept on two devices

    async def answered(self, activity: Activity) -> None:
        """An invoke of `fileConsent/invoke`. Raises DeliveryError, StorageError."""
        name = text_at(activity.value, "context", "parcel")
        if name in self._under_way:
            return
        place, language = place_of(activity), spoken(activity)
        self._under_way.add(name)
        try:
            if text_at(activity.value, "action") == "accept":
                await self._deliver(name, activity, place, language)
            else:
                await self._parcels.remove(name)
            await self._withdraw_offer(activity, place)
        finally:
            self._under_way.discard(name)

    async def _deliver(self, name: str, activity: Activity, place: Place, language: Language) -> None:
        parcel = await self._parcels.take(name, place.route["conversation"])
        if parcel is None:
            await self._tell(words.FILE_GONE, place, language)
            return
        info = member(activity.value, "uploadInfo")
        try:
            await self._put(parcel.upload, text_at(info, "uploadUrl"))
        except DeliveryError as exc:
            log.warning("file_not_put", size_bytes=len(parcel.upload.body), problem=exc.message)
            await self._parcels.remove(name)  # its offer goes, and with it the way to it
            await self._tell(words.FILE_FAILED, place, language)
            return
        await self._parcels.remove(name)
        card = FileInfoCard(unique_id=text_at(info, "uniqueId"), file_type=text_at(info, "fileType"))
        url = text_at(info, "contentUrl")
        attachment = Attachment(
            content_type=FILE_CARD,
            name=text_at(info, "name") or parcel.upload.name,
            content_url=url if self._hosts.keeps_files(url) else None,
            content=card.serialize(),
        )
        await self._send(messages.card(attachment, place, language), place)

    async def _put(self, upload: Upload, url: str) -> None:
        caller = RetryingCaller(self._context)
        await caller.call_until_done(lambda: caller.call(lambda: self._files.put(upload, url)))

    async def _withdraw_offer(self, activity: Activity, place: Place) -> None:
        """So that nobody accepts it twice."""
        if activity.reply_to_id:
            await self._connector.delete(place.route["service_url"], place.route["conversation"], activity.reply_to_id)

    async def _tell(self, sentence: Translations, place: Place, language: Language) -> None:
        await self._send(messages.notice(sentence[language], place, language), place)

    async def _send(self, activity: Activity, place: Place) -> None:
        await self._connector.send(place.route["service_url"], place.route["conversation"], activity)


def spoken(activity: Activity) -> Language:
    """As the offer was made; a client may be set to another one."""
    return parse_language_tag(text_at(activity.value, "context", "language")) or language_of(activity) or "en"
