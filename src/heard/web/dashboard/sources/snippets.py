"""What to paste to send a first identify and a first track, for each of Segment's libraries, with this installation's
address and a source's write key filled in: nothing is left to replace but the person.

A library is here when it sends to another host than Segment's without asking Segment's at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from heard.web.dashboard.sources.colours import coloured

USER, EMAIL, NAME, TOTAL = "u_1", "you@example.com", "Sam", 49
EVENT = "Order Completed"  # until a campaign waits for another


class Snippet(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    label: str
    code: str
    note: str = ""

    @property
    def shown(self) -> Markup:
        """The code as HTML, with its strings, words and comments told apart."""
        return coloured(self.code)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send: `https://heard.example/feedback` with its parts."""

    url: str  # without a slash at its end
    key: str
    event: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def prefix(self) -> str:
        return urlsplit(self.url).path

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"


def snippets(url: str, key: str, event: str = EVENT) -> list[Snippet]:
    """`url`: where Heard is reached, path prefix included; `event`: what the track is called."""
    place = _Place(url=url.rstrip("/"), key=key, event=event)
    return [write(place) for write in ORDER]


def _curl(place: _Place) -> Snippet:
    def call(kind: str, message: dict[str, object]) -> str:
        body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).replace("'", "'\\''")
        return (
            f"curl -u {place.key}: {place.url}/v1/{kind} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'\n"
        )

    who = {"userId": USER, "traits": {"email": EMAIL, "firstName": NAME}}
    what = {"userId": USER, "event": place.event, "properties": {"total": TOTAL}}
    return Snippet(id="curl", label="curl", code=f"{call('identify', who)}\n{call('track', what)}")


def _python(place: _Place) -> Snippet:
    code = f"""# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = "{place.key}"
analytics.host = "{place.url}"

analytics.identify("{USER}", {{"email": "{EMAIL}", "firstName": "{NAME}"}})
analytics.track("{USER}", {_quoted(place.event)}, {{"total": {TOTAL}}})
analytics.flush()
"""
    return Snippet(id="python", label="Python", code=code)


def _node(place: _Place) -> Snippet:
    # The library resolves its path against the host, which loses what stands behind the host's name.
    at = f'host: "{place.url}"'
    if place.prefix:
        at = f'host: "{place.url.removesuffix(place.prefix)}", path: "{place.prefix}/v1/batch"'
    code = f"""// npm install @segment/analytics-node
import {{ Analytics }} from "@segment/analytics-node";

const analytics = new Analytics({{ writeKey: "{place.key}", {at} }});

analytics.identify({{ userId: "{USER}", traits: {{ email: "{EMAIL}", firstName: "{NAME}" }} }});
analytics.track({{ userId: "{USER}", event: {_quoted(place.event)}, properties: {{ total: {TOTAL} }} }});
await analytics.closeAndFlush();
"""
    return Snippet(id="node", label="Node", code=code)


def _page(place: _Place) -> Snippet:
    # `_cdn` because over plain HTTP the library does not look where it came from.
    code = f"""<script>
(function (key, heard) {{
  if (window.analytics) return;
  // Calls wait in this list until the library is here.
  var waiting = window.analytics = [];
  waiting._writeKey = key;
  waiting._cdn = heard;
  ["identify", "track", "page", "screen", "group", "alias", "reset", "ready", "on", "once", "off", "debug",
    "trackLink", "trackForm", "trackClick", "trackSubmit", "setAnonymousId", "register",
    "addSourceMiddleware", "addDestinationMiddleware"].forEach(function (method) {{
    waiting[method] = function () {{
      var here = window.analytics;
      if (here !== waiting) return here[method].apply(here, arguments);
      waiting.push([method].concat(Array.prototype.slice.call(arguments)));
      return waiting;
    }};
  }});
  var script = document.createElement("script");
  script.async = true;
  script.src = heard + "/analytics.js/v1/" + encodeURIComponent(key) + "/analytics.min.js";
  document.head.appendChild(script);
}})({_in_page(place.key)}, {_in_page(place.url)});

analytics.page();
analytics.identify("{USER}", {{ email: "{EMAIL}", firstName: "{NAME}" }});
analytics.track({_in_page(place.event)}, {{ total: {TOTAL} }});
</script>
"""
    return Snippet(id="page", label="Web page", code=code)


def _browser(place: _Place) -> Snippet:
    code = f"""// npm install @segment/analytics-next
import {{ AnalyticsBrowser }} from "@segment/analytics-next";

const analytics = AnalyticsBrowser.load({{ writeKey: "{place.key}", cdnURL: "{place.url}" }});

analytics.identify("{USER}", {{ email: "{EMAIL}", firstName: "{NAME}" }});
analytics.track({_quoted(place.event)}, {{ total: {TOTAL} }});
"""
    return Snippet(id="browser", label="Browser, npm", code=code)


def _swift(place: _Place) -> Snippet:
    code = f"""// Swift package: https://github.com/segmentio/analytics-swift
import Segment

let analytics = Analytics(configuration: Configuration(writeKey: "{place.key}")
    .apiHost("{place.host}{place.prefix}/v1")
    .cdnHost("{place.host}{place.prefix}/v1"))

analytics.identify(userId: "{USER}", traits: ["email": "{EMAIL}", "firstName": "{NAME}"])
analytics.track(name: {_quoted(place.event)}, properties: ["total": {TOTAL}])
analytics.flush()
"""
    return Snippet(id="swift", label="Swift", code=code, note=_https_only(place))


def _kotlin(place: _Place) -> Snippet:
    event = _quoted(place.event).replace("$", "\\$")  # a dollar fills something in
    code = f"""// com.segment.analytics.kotlin:android
val analytics = Analytics("{place.key}", applicationContext) {{
    apiHost = "{place.host}{place.prefix}/v1"
    cdnHost = "{place.host}{place.prefix}/v1"
}}

analytics.identify("{USER}", buildJsonObject {{
    put("email", "{EMAIL}")
    put("firstName", "{NAME}")
}})
analytics.track({event}, buildJsonObject {{ put("total", {TOTAL}) }})
analytics.flush()
"""
    return Snippet(id="kotlin", label="Kotlin", code=code, note=_https_only(place))


def _ruby(place: _Place) -> Snippet:
    host, _, port = place.host.partition(":")
    options = f'write_key: "{place.key}", host: "{host}"'
    options += f", port: {port}" if port else ""
    options += f', path: "{place.prefix}/v1/import"' if place.prefix else ""
    code = f"""# gem install analytics-ruby
require "segment/analytics"

analytics = Segment::Analytics.new({options})

analytics.identify(user_id: "{USER}", traits: {{ email: "{EMAIL}", firstName: "{NAME}" }})
analytics.track(user_id: "{USER}", event: {_single(place.event)}, properties: {{ total: {TOTAL} }})
analytics.flush
"""
    return Snippet(id="ruby", label="Ruby", code=code, note=_https_only(place))


def _php(place: _Place) -> Snippet:
    plain = "" if place.secure else ', "ssl" => false'
    code = f"""// composer require segmentio/analytics-php
use Segment\\Segment;

Segment::init("{place.key}", ["host" => "{place.host}{place.prefix}"{plain}]);

Segment::identify(["userId" => "{USER}", "traits" => ["email" => "{EMAIL}", "firstName" => "{NAME}"]]);
Segment::track(["userId" => "{USER}", "event" => {_single(place.event)}, "properties" => ["total" => {TOTAL}]]);
Segment::flush();
"""
    return Snippet(id="php", label="PHP", code=code)


def _go(place: _Place) -> Snippet:
    code = f"""// go get github.com/segmentio/analytics-go/v3
client, err := analytics.NewWithConfig("{place.key}", analytics.Config{{Endpoint: "{place.url}"}})
if err != nil {{
	log.Fatal(err)
}}
defer client.Close()

client.Enqueue(analytics.Identify{{
	UserId: "{USER}",
	Traits: analytics.NewTraits().SetEmail("{EMAIL}").SetFirstName("{NAME}"),
}})
client.Enqueue(analytics.Track{{
	UserId:     "{USER}",
	Event:      {_quoted(place.event)},
	Properties: analytics.NewProperties().Set("total", {TOTAL}),
}})
"""
    return Snippet(id="go", label="Go", code=code)


def _java(place: _Place) -> Snippet:
    code = f"""// com.segment.analytics.java:analytics, version 3
Analytics analytics = Analytics.builder("{place.key}").endpoint("{place.url}").build();

analytics.enqueue(IdentifyMessage.builder()
    .userId("{USER}")
    .traits(Map.of("email", "{EMAIL}", "firstName", "{NAME}")));
analytics.enqueue(TrackMessage.builder({_quoted(place.event)})
    .userId("{USER}")
    .properties(Map.of("total", {TOTAL})));
analytics.flush();
"""
    return Snippet(id="java", label="Java", code=code)


ORDER: tuple[Callable[[_Place], Snippet], ...] = (
    _curl,
    _page,
    _browser,
    _python,
    _node,
    _ruby,
    _php,
    _go,
    _java,
    _swift,
    _kotlin,
)


def _https_only(place: _Place) -> str:
    return (
        "" if place.secure else "This library speaks HTTPS only, so it reaches Heard once Heard has an https address."
    )


def _quoted(text: str) -> str:
    """A string of Python, JavaScript, Go, Java and Swift."""
    return json.dumps(text, ensure_ascii=False)


def _in_page(text: str) -> str:
    """A string of a script that stands in a page, which no tag within it can end."""
    return _quoted(text).replace("<", "\\u003c")


def _single(text: str) -> str:
    """A string of Ruby and PHP in which nothing is filled in."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
