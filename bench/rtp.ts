export const benchRtp = async () => []
