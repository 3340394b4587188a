/** Draws in small steps, a few in each frame, so that the page reacts to people meanwhile. */

const BUDGET_MS = 5; // of script in a frame; layout takes about as long again
const HIDDEN_MS = 250; // a hidden tab has no frames

class Painter {
  #steps = [];
  #after = new Set(); // callbacks at the end of the frame
  #frame = 0;
  #timer = 0;

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
    const until = performance.now() + BUDGET_MS;
    let count = 0;
    do {
      const { step, after } = this.#steps[count];
      count += 1;
      this.#after.add(after);
      step();
    } while (count < this.#steps.length && performance.now() < until);
    this.#steps.splice(0, count);
    if (this.#steps.length) this.#schedule();
    for (const after of this.#after) after();
    this.#after.clear();
  };
}

export const painter = new Painter();
