import { formatDuration } from '@multigrad/callbacks/terminal';
import type { Table } from '../results/table.ts';
import { type RowState, type StudyState, timeLeft } from './plan.ts';

/** How far each row of a study is, and how long what is left takes. */
export function stateTable({ rows }: StudyState): Table {
  return {
    columns: [
      { title: 'setting', detail: '' },
      { title: 'row', detail: '' },
      { title: 'runs', detail: 'done' },
      { title: 'runs', detail: 'left' },
      { title: 'learning', detail: 'rate' },
      { title: 'time', detail: 'left' },
    ],
    rows: rows.map((state) => [
      state.setting.name,
      state.row.name,
      String(new Set([...state.tried, ...state.chosen]).size),
      String(state.open.length + state.later),
      rateText(state),
      timeText(state, rows),
    ]),
  };
}

function rateText({ rate, hopeless }: RowState): string {
  if (hopeless) return 'none learns';
  return rate === null ? '–' : String(rate);
}

function timeText(state: RowState, all: readonly RowState[]): string {
  const left = state.open.length + state.later;
  if (left === 0) return '–';
  const ofSetting = all.filter(({ setting }) => setting === state.setting);
  // A row without a record takes its setting's time.
  const others = ofSetting.map((row) => (row === state ? row : { ...row, open: [], later: 0 }));
  const { seconds, unknown } = timeLeft({ rows: others, changed: [], done: 0, left });
  return unknown > 0 ? 'unknown' : formatDuration(seconds);
}
