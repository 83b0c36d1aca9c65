// The dashboard without a script is whole; this makes it quicker to use. No dependency but htmx, which swaps <main>.
"use strict";

// Copy buttons are hidden until somebody is there who can copy.
function prepare(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const toast of root.querySelectorAll("[data-toast]:not([data-seen])")) {
    toast.dataset.seen = "";
    setTimeout(() => toast.remove(), 6000);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    const from = button.dataset.copy ? document.getElementById(button.dataset.copy) : button.previousElementSibling;
    navigator.clipboard.writeText(from.value ?? from.textContent).then(() => {
      const said = button.querySelector("span");
      said.textContent = "Copied";
      setTimeout(() => { said.textContent = "Copy"; }, 2000);
    });
  }
  // A place was chosen: the menu it was chosen from closes.
  const menu = event.target.closest("a")?.closest("[popover]");
  if (menu?.matches(":popover-open")) menu.hidePopover();
  // A menu made of <details> closes when one clicks elsewhere.
  for (const open of document.querySelectorAll("details[data-menu][open]")) if (!open.contains(event.target)) open.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details[data-menu][open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

// Selects that act at once submit their form; without a script their button does.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// What is asked beside a page is of no use once another page is on its way: its places would be gone.
let leaving = false;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.boosted) {
    leaving = true;
    document.querySelectorAll("[hx-sync]").forEach((each) => htmx.trigger(each, "htmx:abort"));
  } else if (leaving && event.detail.elt.matches("[hx-sync]")) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.boosted) leaving = false;
});

document.addEventListener("htmx:afterSwap", (event) => {
  prepare(document);
  if (event.detail.target?.id !== "main") return;
  const main = document.getElementById("main");
  // Whoever reads with ears, or moves by keyboard, is told that the page is another one.
  if (!main.contains(document.activeElement) && !document.activeElement?.closest("[data-keeps-focus]")) main.focus({ preventScroll: true });
  // A form that came back leads to the first field that needs a look, once htmx has scrolled to the top.
  const wrong = main.querySelector("[aria-invalid='true']");
  if (wrong) document.addEventListener("htmx:afterSettle", () => setTimeout(() => {
    wrong.focus({ preventScroll: true });
    wrong.scrollIntoView({ block: "center" });
  }), { once: true });
});

prepare(document);
