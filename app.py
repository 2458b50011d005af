"""The planners' app: `walkshed app`, or `streamlit run app.py`."""

from walkshed.views import main

main()
