// Filter the rows of a scorecard by part and verdict, and keep the choice in the address.
document.querySelectorAll(".scorecard").forEach((card) => {
  const form = card.querySelector(".scorecard-filter");
  const rows = Array.from(card.querySelectorAll("tr.claim"));
  const lists = Array.from(form.querySelectorAll("select"));
  const count = form.querySelector("output");

  const show = () => {
    let shown = 0;
    rows.forEach((row) => {
      const fits = lists.every((list) => !list.value || row.classList.contains(`${list.dataset.filter}-${list.value}`));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = `${shown} of ${rows.length} claims`;
    const chosen = lists.filter((list) => list.value).map((list) => `${list.dataset.filter}=${list.value}`);
    history.replaceState(null, "", chosen.length ? `#${chosen.join("&")}` : location.pathname + location.search);
  };

  const wanted = new URLSearchParams(location.hash.slice(1));
  lists.forEach((list) => {
    const value = wanted.get(list.dataset.filter);
    if (value && list.querySelector(`option[value="${CSS.escape(value)}"]`)) list.value = value;
    list.addEventListener("change", show);
  });
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  if (lists.some((list) => list.value)) show();
});
