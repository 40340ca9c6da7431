"""Mail by SMTP: neutral in subject, sender and words, since others may read over a shoulder.

What comes unasked can be ended with one request, by a mail program too (RFC 8058), and says that a machine sent it
(RFC 3834 §5), so that absence notes stay away. A retry carries the same Message-ID, by which mailboxes may know it.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.utils import format_datetime

from api import carriers
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome

SECONDS = 10.0
SUBJECTS = {"en": "A message for you", "es": "Un mensaje para usted"}
ENDING = {"en": "To end these e-mails: {url}", "es": "Para no recibir más correos: {url}"}
# RFC 5321 §4.2.3: these say that the mailbox is not there, or is nobody's; other 5yz refuse the message.
NOBODY_THERE = frozenset({550, 551, 553, 556})
# RFC 3463 and RFC 7372: refused for who we are or what we said, not for whom it was to.
ABOUT_US = (b"5.7.",)
# What a server says of us before it hears of a mail: it would say so to every other one too.
OURS = (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPHeloError, smtplib.SMTPConnectError)


class Mail:
    """The carrier `email`. `now` tells real time, which stands in the mail. Safe to share between threads."""

    name = "email"

    def __init__(
        self,
        settings: carriers.Smtp,
        *,
        sender_name: str,
        public_url: str,
        now: Callable[[], datetime],
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._settings, self._sender_name, self._public_url, self._now = settings, sender_name, public_url, now
        self._trust = trust or ssl.create_default_context()

    def send(self, message: Message, address: Address) -> Outcome:
        """Raises `OSError` or `smtplib.SMTPException` where the server cannot be reached or breaks off."""
        mail = self.worded(message, address)
        try:
            self._hand_over(mail)
        except smtplib.SMTPNotSupportedError:
            return Outcome(MISCONFIGURED, "not_supported")
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            return Outcome(_of_recipient(code, words), str(code))
        except smtplib.SMTPResponseException as refused:
            return Outcome(_of_us(refused), str(refused.smtp_code))
        return Outcome(ACCEPTED, provider_id=str(mail["Message-ID"]))

    def _hand_over(self, mail: EmailMessage) -> None:
        """What goes wrong after the server took the mail is no reason to send it again."""
        server = self._connected()
        try:
            server.send_message(mail)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def worded(self, message: Message, address: Address) -> EmailMessage:
        """The mail as it goes out."""
        language = message.language if message.language in SUBJECTS else "en"
        mail = EmailMessage()
        mail["From"] = Mailbox(self._sender_name, addr_spec=self._settings.mail_from)
        mail["To"] = Mailbox(addr_spec=address.target)
        mail["Subject"] = SUBJECTS[language]
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = self._id(message)
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = language
        text = message.text
        if secret := address.details.get("unsubscribe"):
            url = f"{self._public_url}/unsubscribe/{secret}"
            mail["List-Unsubscribe"] = f"<{url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            text = f"{text}\n\n{ENDING[language].format(url=url)}"
        mail.set_content(text + "\n")
        return mail

    def _id(self, message: Message) -> str:
        """Says nothing of what the key names."""
        domain = self._settings.mail_from.rpartition("@")[2]
        return f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@{domain}>"

    def _connected(self) -> smtplib.SMTP:
        """Encrypted before anything is said, wherever there is a password to say."""
        to = self._settings
        if to.tls_first:
            server: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, timeout=SECONDS, context=self._trust)
        else:
            server = smtplib.SMTP(to.host, to.port, timeout=SECONDS)
        try:
            self._introduce(server)
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP) -> None:
        if self._settings.user and not self._settings.tls_first:
            server.starttls(context=self._trust)
        if self._settings.user and self._settings.password:
            server.login(self._settings.user, self._settings.password)


def _of_us(refused: smtplib.SMTPResponseException) -> str:
    """A refusal of the sign-in, of the sender, or of the mail itself."""
    if refused.smtp_code < 500:
        return RETRY
    return MISCONFIGURED if isinstance(refused, OURS) else REFUSED


def _of_recipient(code: int, words: bytes) -> str:
    if code < 500:
        return RETRY
    return DEAD if code in NOBODY_THERE and not words.startswith(ABOUT_US) else REFUSED
