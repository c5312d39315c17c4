"""Home: what this lab is, in a minute, and scenes that open at once."""

import streamlit as st

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
