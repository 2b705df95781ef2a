// Search and filter the rows of a scorecard, open the boxes that hold what was found, and keep the choice in the address.
const MOST_TO_OPEN = 150; // rows; more would be many screens high

document.querySelectorAll(".scorecard").forEach((card) => {
  const form = card.querySelector(".scorecard-filter");
  const rows = Array.from(card.querySelectorAll("tr.claim"));
  const texts = rows.map((row) => `${row.id} ${row.textContent}`.toLowerCase());
  const boxes = Array.from(card.querySelectorAll("details"));
  const lists = Array.from(form.querySelectorAll("select"));
  const search = form.querySelector("[data-find]");
  const count = form.querySelector("output");

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = lists.filter((list) => list.value);
    const asked = chosen.length > 0 || words.length > 0;
    rows.forEach((row, index) => {
      const fits = chosen.every((list) => row.classList.contains(`${list.dataset.filter}-${list.value}`));
      row.hidden = !(fits && words.every((word) => texts[index].includes(word)));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    boxes.forEach((box) => {
      const inside = box.querySelectorAll("tr.claim:not([hidden])").length;
      box.hidden = inside === 0;
      box.open = asked && shown <= MOST_TO_OPEN;
      box.querySelector("summary").dataset.shown = asked ? `${inside} of ${box.querySelectorAll("tr.claim").length} shown` : "";
    });
    card.querySelectorAll(".scorecard-part").forEach((part) => {
      part.hidden = !part.querySelector("details:not([hidden])");
    });
    count.textContent = `${shown} of ${rows.length} claims`;
    const state = new URLSearchParams(chosen.map((list) => [list.dataset.filter, list.value]));
    if (words.length) state.set("find", words.join(" "));
    history.replaceState(null, "", asked ? `#${state}` : location.pathname + location.search);
  };

  // A link from another page asks with a query, since its fragment would have to name a place on this page.
  const wanted = new URLSearchParams(location.hash.slice(1) || location.search);
  lists.forEach((list) => {
    const value = wanted.get(list.dataset.filter);
    if (value && list.querySelector(`option[value="${CSS.escape(value)}"]`)) list.value = value;
    list.addEventListener("change", show);
  });
  search.value = wanted.get("find") ?? "";
  search.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  if (search.value || lists.some((list) => list.value)) show();

  const named = rows.find((row) => row.id && row.id === decodeURIComponent(location.hash.slice(1)));
  if (named) {
    named.closest("details").open = true;
    named.scrollIntoView();
  }
});
