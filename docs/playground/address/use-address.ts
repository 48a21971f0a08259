import { onBeforeUnmount, onMounted, ref, type Ref, shallowRef, watch } from 'vue';
import { addressOf, stateOfAddress } from './address.ts';
import { type PlaygroundState, usualState } from './state.ts';

/** Changes that follow each other faster than this, as in a drag, are one entry of the history. */
const pause = 300;

/** Only how far something has run is another in the two states. */
function isProgress(before: PlaygroundState, after: PlaygroundState): boolean {
  const still = ({ training, paths, ...rest }: PlaygroundState): string =>
    addressOf({
      ...rest,
      training: { ...training, steps: 0 },
      paths: { ...paths, steps: 0 },
    });
  return still(before) === still(after);
}

/** The playground's state, which the page's address follows, and which follows the address when a reader goes back or forward. */
export function useAddress(): {
  readonly state: Ref<PlaygroundState>;
  /** What of the address could not be shown. */
  readonly problem: Ref<string>;
  /** The address has been read. */
  readonly ready: Ref<boolean>;
} {
  const state = shallowRef(usualState);
  const problem = ref('');
  const ready = ref(false);
  /** What the address shows. */
  let written = usualState;

  function read(): void {
    const { hash } = location;
    // A place of the page, such as the link that skips the menu.
    if (hash !== '' && !hash.includes('=') && document.getElementById(hash.slice(1)) !== null) {
      const { state: asked, problem: none } = stateOfAddress(hash);
      if (none === undefined) state.value = { ...state.value, view: asked.view };
      return;
    }
    if (ready.value && hash === `#${addressOf(written)}`) return;
    const found = stateOfAddress(hash);
    problem.value = found.problem ?? '';
    written = state.value = found.state;
  }

  let waiting: ReturnType<typeof setTimeout> | undefined;
  function write(): void {
    const address = addressOf(state.value);
    if (address === addressOf(written)) return;
    problem.value = '';
    // The router reads where a page was scrolled to from its entry.
    const place = { scrollPosition: scrollY };
    if (isProgress(written, state.value)) history.replaceState(place, '', `#${address}`);
    else {
      history.replaceState({ ...(history.state as object), ...place }, '');
      history.pushState(place, '', `#${address}`);
    }
    written = state.value;
  }

  onMounted(() => {
    read();
    ready.value = true;
    addEventListener('popstate', read);
    addEventListener('hashchange', read);
    watch(state, () => {
      clearTimeout(waiting);
      waiting = setTimeout(write, pause);
    });
  });
  onBeforeUnmount(() => {
    clearTimeout(waiting);
    removeEventListener('popstate', read);
    removeEventListener('hashchange', read);
  });
  return { state, problem, ready };
}
