// What Tab should reach on a page, and what has the focus now, and whether one sees it.

var CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";

var keyOf = (each) => {
  if (!each || each === document.body) return "body";
  const place = [...document.querySelectorAll(each.tagName)].indexOf(each);
  return [each.id, each.tagName, each.getAttribute("href") || each.name || "", place].join("|");
};

// A group of radios is one stop, whichever of them it is, so radios are left out.
var reachable = () =>
  [...document.querySelectorAll(CONTROLS)]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0)
    .filter((each) => each.type !== "radio")
    .map(keyOf);

var focused = () => {
  const at = document.activeElement;
  if (!at || at === document.body || at.tagName === "IFRAME") return { key: "body", visible: true };
  const ring = (each) => each && getComputedStyle(each).outlineStyle !== "none";
  const around = at.closest("label, .switch, .check, .pick") || at.nextElementSibling;
  const drawn = [...at.querySelectorAll(".c-hit")].some((hit) => getComputedStyle(hit).stroke !== "none");
  const shadow = getComputedStyle(at).boxShadow !== "none";
  return { key: keyOf(at), visible: Boolean(ring(at) || ring(around) || drawn || shadow) };
};

// Whatever had the focus since `watch()`.
var stops = [];
var watch = () => addEventListener("focusin", () => stops.push(focused()));
