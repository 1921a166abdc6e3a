// What the page's own document says: 1.4.3 contrast of texts, 1.4.11 of the colours of the days, 2.5.8 size of targets,
// 3.1.1 language, 2.4.2 title, 2.4.3 order of focus, and unique IDs.
function documentFlaws() {
  const flaws = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && !element.closest('.unseen, .skip:not(:focus)');
  const within = document.querySelector('dialog[open]') ?? document.body;

  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((value, channel) => value * a + below[channel] * (1 - a));
  const ground = (element) => {
    if (!element) return rgba(getComputedStyle(document.body).backgroundColor).slice(0, 3);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const luminance = (colour) => {
    const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const texts = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  let looked = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, words = texts.currentNode.data.trim();
    if (!words || !seen(element) || element.closest('[aria-disabled=true]')) continue;
    const style = getComputedStyle(element), below = ground(element);
    const ink = element.closest('svg') ? style.fill : style.color;
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const found = contrast(over(rgba(ink), below), below);
    if (found < (isLarge ? 3 : 4.5)) flaws.push(`"${words.slice(0, 40)}" has a contrast of ${found.toFixed(2)}`);
    looked += 1;
  }
  if (looked < 5) flaws.push(`only ${looked} texts were looked at`);
  for (const coloured of within.querySelectorAll('[data-day]')) {
    if (!seen(coloured)) continue;
    const colour = rgba(getComputedStyle(coloured).getPropertyValue('--day')).slice(0, 3);
    const found = contrast(colour, ground(coloured.parentElement));
    if (found < 3) flaws.push(`the colour of day ${coloured.dataset.day} has a contrast of ${found.toFixed(2)}`);
  }

  for (const target of within.querySelectorAll('button, input, summary')) {
    const { width, height } = target.getBoundingClientRect();
    if (!seen(target) || Math.min(width, height) >= 24) continue;
    flaws.push(`${target.outerHTML.slice(0, 60)} is ${width} x ${height} pixels`);
  }
  if (!document.documentElement.lang) flaws.push('the page has no language');
  if (!document.title) flaws.push('the page has no title');
  if (document.querySelector('[tabindex]:not([tabindex="0"], [tabindex="-1"])')) {
    flaws.push('a tabindex changes the order');
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  const twice = new Set(ids.filter((id, place) => ids.indexOf(id) !== place));
  for (const id of twice) flaws.push(`two elements have the ID ${id}`);
  return flaws;
}
