export const toJson = () => "";
export const fromJson = () => ({});
