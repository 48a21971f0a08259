/** Draws one step of the page's curves: a number for each name. It exists in the page alone. */
declare function plot(values: Readonly<Record<string, number>>): void;
