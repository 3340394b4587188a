/** Draws in small steps, a few in each frame, so that the page reacts to people meanwhile. */

const FRAME_MS = 8; // for the script and the layout of a frame; painting comes on top
const LEAST_MS = 0.5; // of script in a frame
const MOST_MS = 4;
const HIDDEN_MS = 250; // a hidden tab has no frames

class Painter {
  #steps = [];
  #after = new Set(); // callbacks at the end of the frame
  #frame = 0;
  #timer = 0;
  #budget = 1; // ms of script in a frame, as far as layout allows

  /** Runs `step()` in one of the next frames, after all earlier steps, and `after()` at the end of that frame. */
  add(step, after) {
    this.#steps.push({ step, after });
    if (this.#steps.length === 1) this.#schedule();
  }

  #schedule() {
    this.#frame = requestAnimationFrame(this.#draw);
    this.#timer = setTimeout(this.#draw, HIDDEN_MS);
  }

  #draw = () => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    const start = performance.now();
    let count = 0;
    do {
      const { step, after } = this.#steps[count];
      count += 1;
      this.#after.add(after);
      step();
    } while (count < this.#steps.length && performance.now() < start + this.#budget);
    this.#steps.splice(0, count);
    if (this.#steps.length) this.#schedule();
    for (const after of this.#after) after();
    this.#after.clear();
    document.documentElement.getBoundingClientRect(); // layout happens here, so that its time counts
    const factor = FRAME_MS / (performance.now() - start);
    this.#budget = Math.min(MOST_MS, Math.max(LEAST_MS, this.#budget * Math.min(2, factor)));
  };
}

export const painter = new Painter();
