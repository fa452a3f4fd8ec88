import SvgIcon, { type SvgIconProps } from "@mui/material/SvgIcon";

function lines(path: string) {
  return function Icon(props: SvgIconProps) {
    return (
      <SvgIcon fontSize="small" {...props}>
        <path
          d={path}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </SvgIcon>
    );
  };
}

const circle = (r: number) =>
  `M12 ${12 - r}a${r} ${r} 0 1 0 0 ${2 * r}a${r} ${r} 0 1 0 0 ${-2 * r}`;

export const SunIcon = lines(
  `${circle(4)}M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4`,
);
export const MoonIcon = lines("M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z");
export const UserIcon = lines(
  `${circle(9)}M12 7a3 3 0 1 0 0 6a3 3 0 1 0 0-6M6.5 18.5a6.5 6.5 0 0 1 11 0`,
);
export const SystemIcon = lines("M3.5 5h17v11h-17zM9 20h6M12 16v4");
export const ZoomInIcon = lines(
  "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5l5 5M7.5 10.5h6M10.5 7.5v6",
);
export const ZoomOutIcon = lines(
  "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5l5 5M7.5 10.5h6",
);
export const ResetIcon = lines("M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5");
export const DownloadIcon = lines("M12 4v11M7.5 10.5L12 15l4.5-4.5M4.5 19.5h15");
export const EyeIcon = lines(
  `M2.5 12C5 7.5 8.3 5.5 12 5.5s7 2 9.5 6.5c-2.500 4.500-5.800 6.500-9.500 6.500S5 16.500 2.500 12z${circle(3)}`,
);
export const EyeOffIcon = lines(
  "M4 4l16 16M9.500 5.900A9 9 0 0 1 12 5.500c3.700 0 7 2 9.500 6.500a16 16 0 0 1-2.700 3.500M6 7.500A15 15 0 0 0 2.500 12c2.500 4.500 5.800 6.500 9.500 6.500a9 9 0 0 0 4-.900",
);
export const SearchIcon = lines("M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5l5 5");
export const PanLeftIcon = lines("M14.5 6L8.500 12l6 6");
export const PanRightIcon = lines("M9.5 6l6 6l-6 6");
export const HandIcon = lines(
  "M12 3v18M3 12h18M9 6l3-3l3 3M9 18l3 3l3-3M6 9l-3 3l3 3M18 9l3 3l-3 3",
);
export const PauseIcon = lines("M8.500 5v14M15.500 5v14");
export const PlayIcon = lines("M7 4.500v15l12-7.500z");
export const LinkIcon = lines(
  "M10 14a4 4 0 0 0 6 .4l3-3a4.100 4.100 0 0 0-5.800-5.800l-1.200 1.200M14 10a4 4 0 0 0-6-.4l-3 3a4.100 4.100 0 0 0 5.800 5.800l1.200-1.200",
);
export const HelpIcon = lines(
  `${circle(10)}M9.200 9.300a2.900 2.900 0 1 1 4.300 2.600c-1 .6-1.500 1.200-1.500 2.200M12 17.300v.1`,
);
export const CloseIcon = lines("M6 6l12 12M18 6L6 18");
export const CopyIcon = lines("M9 8.500h10.500v11.500H9zM15 8.500V4H4.500v11.500H9");
