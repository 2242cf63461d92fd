"""A mail server for the tests of mail: aiosmtpd on loopback, and a log of what it was asked and what it got.

    server.py PORT LOG [CERTIFICATE KEY]

Port 0 is any free one. The port is printed once it listens. With a certificate nothing is taken without STARTTLS.

What becomes of a mail is said by its receiver: to `nobody…` it is refused for good, to `busy…` it is refused the first time,
to everybody else it is taken. LOG gets a line of JSON for each:

    {"event": "rcpt", "to": …, "reply": …}
    {"event": "mail", "to": […], "from": …, "tls": …, "headers": [[name, value], …], "type": …, "parts": [{"type", "text"}, …]}
"""

import asyncio
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Handler:
    def __init__(self, log):
        self.log = log
        self.seen = set()

    def note(self, **entry):
        self.log.write(json.dumps(entry) + "\n")
        self.log.flush()

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = "250 OK"
        if address.startswith("nobody"):
            reply = f"550 5.1.1 <{address}> is not known here"
        elif address.startswith("busy") and address not in self.seen:
            reply = f"451 4.7.1 <{address}> come back later"
        self.seen.add(address)
        self.note(event="rcpt", to=address, reply=reply)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = message.iter_parts() if message.is_multipart() else [message]
        self.note(
            event="mail",
            to=envelope.rcpt_tos,
            **{"from": envelope.mail_from},
            tls=session.ssl is not None,
            # As they are meant, and as they were sent.
            headers=[[name, str(value)] for name, value in message.items()],
            raw=envelope.content.split(b"\r\n\r\n", 1)[0].decode("ascii"),
            type=message.get_content_type(),
            parts=[{"type": part.get_content_type(), "text": part.get_content()} for part in parts],
        )
        return "250 OK"


async def main():
    port, log, *secured = sys.argv[1:]
    context = None
    if secured:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secured)
    with open(log, "a", encoding="utf-8") as lines:
        handler = Handler(lines)

        def session():
            return SMTP(handler, hostname="localhost", tls_context=context, require_starttls=context is not None)

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", int(port))
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
