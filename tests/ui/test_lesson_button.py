"""Share downloads the lesson's file: this scene and the nine."""

import json


def scenes(page, label) -> list[dict]:
    """Of the file behind a button of the Share popover."""
    with page.expect_download() as got:
        page.get_by_role("button", name=label).click()
    text = got.value.path().read_text("utf-8")
    return json.loads(text.split('id="data">')[1].split("</script>")[0])["scenes"]


def test_share_downloads_this_scene_and_the_nine(app, window):
    page = window({"width": 1280, "height": 720})
    page.goto(f"{app}convergence?target=gaussian&schemes=EM,OC&title=Ours&v=1")
    page.get_by_text("Ours").first.wait_for(timeout=120_000)
    page.get_by_role("button", name="Share").click()
    (one,) = scenes(page, "This scene as an HTML file")
    assert one["question"] == "Ours"
    assert {s["scheme"] for s in one["curve"]["series"]} == {"EM", "OC"}
    assert one["live"]
    assert len(scenes(page, "The nine scenes as an HTML file")) == 9
