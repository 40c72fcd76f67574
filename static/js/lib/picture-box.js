/** Where a picture's lines lie on the screen: its box without the padding that its words take. */
export function pictureBox(picture) {
  const { left, top, width, height } = picture.getBoundingClientRect();
  const style = getComputedStyle(picture);
  const [above, right, below, before] = ["Top", "Right", "Bottom", "Left"].map((side) =>
    Number.parseFloat(style[`padding${side}`]),
  );
  return {
    left: left + before,
    top: top + above,
    width: width - before - right,
    height: height - above - below,
  };
}
