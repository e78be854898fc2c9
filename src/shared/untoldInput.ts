/**
 * A field of a request's detail by which a program's plugin says that it could not tell everything; its value says what is missing.
 * Such a request counts as cut: it is never allowed from here.
 */
export const UNTOLD_FIELD = 'not-told';
