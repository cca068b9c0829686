"""How databases made by earlier versions become the present one; `cornicen.state.migrating` runs them."""
