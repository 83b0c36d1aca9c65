"""Programs that open links and say so: mail gateways, previews of chat programs, search engines, libraries.

Each line is a piece of the name a program gives itself, in small letters, and who that is, as the page says it. What
looks like a browser is not told by its name; the other rules are for those. Add a line where your mails meet another.
"""

from __future__ import annotations

from collections.abc import Mapping

KNOWN: Mapping[str, str] = {
    # mail gateways and virus scanners
    "barracuda": "Barracuda",
    "mimecast": "Mimecast",
    "proofpoint": "Proofpoint",
    "safelinks": "Microsoft Safe Links",
    "microsoft office existence discovery": "Microsoft Office",
    "bitdefender": "Bitdefender",
    "cloudmark": "Cloudmark",
    "forcepoint": "Forcepoint",
    "trend micro": "Trend Micro",
    "virustotal": "VirusTotal",
    "urlscan": "urlscan",
    "mailscan": "a mail scanner",
    "linkcheck": "a link checker",
    # previews
    "bingpreview": "Bing Preview",
    "skypeuripreview": "Skype and Teams",
    "slackbot": "Slack",
    "slack-imgproxy": "Slack",
    "facebookexternalhit": "Facebook",
    "whatsapp": "WhatsApp",
    "telegrambot": "Telegram",
    "discordbot": "Discord",
    "twitterbot": "Twitter",
    "linkedinbot": "LinkedIn",
    "googleimageproxy": "Gmail’s image proxy",
    "yahoomailproxy": "Yahoo Mail",
    # search engines
    "googlebot": "Google",
    "google-safety": "Google",
    "bingbot": "Bing",
    "yandexbot": "Yandex",
    "applebot": "Apple",
    # libraries and tools: no person reads with them
    "headlesschrome": "a browser without a screen",
    "phantomjs": "a browser without a screen",
    "python-requests": "a Python program",
    "python-urllib": "a Python program",
    "python-httpx": "a Python program",
    "aiohttp": "a Python program",
    "go-http-client": "a Go program",
    "okhttp": "a Java program",
    "apache-httpclient": "a Java program",
    "java/": "a Java program",
    "libwww-perl": "a Perl program",
    "curl/": "curl",
    "wget/": "Wget",
}


def known_as(agent: str) -> str | None:
    """Who a program is that gives itself this name; None for a browser, and for one that says nothing.

    `Mozilla/5.0 (compatible; Googlebot/2.1)` -> `Google`
    """
    name = agent.lower()
    return next((who for piece, who in KNOWN.items() if piece in name), None)
