"""Home: what this lab is, in a minute, and scenes that open at once. The server imports this file too, and serves `app`."""

import streamlit as st


def home() -> None:
    from dlab import words
    from dlab.ui import frame, menu, scenes

    frame.begin("home")
    menu.tour_link("Take the guided tour", icon=":material/route:")
    with st.container(key="grid"):
        for number, scene in enumerate(scenes.SCENES, 1):
            with st.container(border=True, gap="xsmall"):
                menu.scene_link(scene, f"**{number}\u2002{scene.question}**")
                st.markdown(scene.text)
                st.caption(menu.PAGES[scene.page][1])
    st.markdown(words.text("home", "about"))
    frame.end("home")


if __name__ == "__main__":  # the page, as Streamlit runs it
    home()
else:
    from dlab.ui import serving

    app = st.App(__file__, routes=serving.routes(), lifespan=serving.lifespan)
