"""Home: what this lab is, in a minute that moves, and scenes that open at once. The server imports this file too, and serves `app`."""

import streamlit as st


def home() -> None:
    from dlab import words
    from dlab.ui import cards, findings, frame, links, menu, opening, page_links

    scene = frame.begin("home")
    opening.draw(scene.present)
    st.html(cards.style())
    address, dark = links.write(scene), frame.theme() == "dark"
    for heading, group in cards.groups().items():
        st.markdown(f"### {heading}")
        with st.container(key=f"grid-{heading.lower().replace(' ', '-')}"):
            for card in group:
                with st.container(border=True, gap=None, key=f"card-{card.name}"):
                    st.html(card.picture(dark))
                    if card.scene:
                        menu.scene_link(card.scene, card.question)
                    elif card.name == "tour":
                        menu.tour_link(card.question)
                    else:
                        query = page_links.spelled(address, links.of_page(scene, card.name))
                        page_links.show(menu.page_of(card.name), card.question, query)
    findings.draw(dark)
    with st.expander(words.title("home", "about")):
        st.markdown(words.text("home", "about"))
    frame.end("home")


if __name__ == "__main__":  # the page, as Streamlit runs it
    home()
else:
    from dlab.ui import serving

    app = st.App(__file__, routes=serving.routes(), lifespan=serving.lifespan)
