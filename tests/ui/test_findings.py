"""The findings on Home without a browser: nothing is sent before they are opened, and each has its link."""

from urllib.parse import parse_qsl

from apptest import opened, visit

from dlab.ui import findings


def links_of(at):
    return {link.proto.label: dict(parse_qsl(link.proto.query_string)) for link in at.get("page_link")}


def pictures(at):
    return sum("img alt=\"\" class=\"drawn" in each.proto.body for each in at.get("html"))


def test_findings_are_sent_when_they_are_opened():
    at = visit("", {})
    titles = {found["title"]: found["query"] for found in findings.told()}
    assert len(titles) == 10
    assert not titles.keys() & links_of(at).keys()
    assert not pictures(at)
    opened(at, "findings")
    assert pictures(at) == 10
    assert titles.items() <= links_of(at).items()


def test_a_finding_opens_in_presentation_mode_from_there():
    at = opened(visit("", {"present": "1"}), "findings")
    for found in findings.told():
        assert links_of(at)[found["title"]] == found["query"] | {"present": "1"}
