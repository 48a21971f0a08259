/** The shape of a symbolic tensor: null where the size is open, as of the batch. */
export type Shape = (number | null)[];
